# Vagrant reads this before the project's Vagrantfile, which stays unchanged. Without a hypervisor, its machines are LXC containers
# on a bridge of the lab that leads nowhere else.
#
# Also replaces the parts of vagrant-lxc that differ from the other providers.

require "vagrant-lxc/provider"
require "vagrant-lxc/driver"

BRIDGE = "lxcbr0"

# Each machine needs an address before it is known: the last byte of its address on the private network.
def last_byte(machine)
  _, options = machine.config.vm.networks.find { |type, _| type == :private_network }
  options[:ip].split(".").last.to_i
end

# An interface with the same hardware address at each start: otherwise its peers use the old one for about 40 s.
def card(number, address, gateway = nil)
  bytes = address.split(".").map { |byte| format("%02x", byte.to_i) }
  settings = {
    "type" => "veth", "link" => BRIDGE, "flags" => "up",
    "hwaddr" => ["02", format("%02x", number), *bytes].join(":"), "ipv4.address" => "#{address}/24"
  }
  settings["ipv4.gateway"] = gateway if gateway
  settings.map { |key, value| ["net.#{number}.#{key}", value] }
end

Vagrant::LXC::Action::Boot.prepend(Module.new do
  def call(env)
    byte = last_byte(env[:machine])
    private_address = env[:machine].config.vm.networks.find { |type, _| type == :private_network }[1][:ip]
    settings = card(0, "10.0.3.#{byte}", "10.0.3.1") + card(1, private_address)
    settings.each { |key, value| env[:machine].provider_config.customize(key, value) }
    super
  end
end)

# The interfaces exist when the machine starts, and it must not remove the bridge.
[Vagrant::LXC::Action::PrivateNetworks, Vagrant::LXC::Action::GcPrivateNetworkBridges].each do |action|
  action.prepend(Module.new do
    def call(env)
      @app.call(env)
    end
  end)
end

# The original prints each port with the syntax of an older Ruby, and fails; its child processes would also hold the output of Vagrant open.
Vagrant::LXC::Action::ForwardPorts.prepend(Module.new do
  def forward_ports
    guest = @env[:machine].provider.ssh_info[:host]
    @env[:forwarded_ports].each do |port|
      ends = ["#{port[:host_ip]}:#{port[:host]}", "#{port[:guest_ip] || guest}:#{port[:guest]}"]
      quiet = { in: File::NULL, out: File::NULL, err: File::NULL, pgroup: true }
      # Vagrant ends the children of the recorded process.
      store_redir_pid(port[:host], Process.spawn("sh", "-c", 'redir -n "$0" "$1"; :', *ends, quiet))
    end
  end
end)

Vagrant::LXC::Driver.prepend(Module.new do
  protected

  # As root the original would overwrite the beginning of the file, and keep the rest.
  def write_config(contents)
    File.write(config_path, contents)
  end
end)

Vagrant.configure("2") do |config|
  config.vm.provider "lxc" do |lxc|
    lxc.backingstore = "dir"
    lxc.container_name = :machine
    lxc.fetch_ip_tries = 20
  end
end
