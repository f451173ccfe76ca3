# Read by Vagrant before the project's Vagrantfile, which stays as it ships. Where there is no hypervisor, its machines are containers of
# LXC, on a bridge of the lab that leads nowhere else.
#
# What vagrant-lxc does not do as the other providers do is done here.

require "vagrant-lxc/provider"
require "vagrant-lxc/driver"

BRIDGE = "lxcbr0"

# Each machine needs an address before anybody knows which it will be: the last byte of its own on the private network.
def last_byte(machine)
  _, options = machine.config.vm.networks.find { |type, _| type == :private_network }
  options[:ip].split(".").last.to_i
end

# A card with the same hardware address at each start: its peers would look for the old one for some 40 s.
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

# The cards are there when the machine starts, and the bridge is not theirs to remove.
[Vagrant::LXC::Action::PrivateNetworks, Vagrant::LXC::Action::GcPrivateNetworkBridges].each do |action|
  action.prepend(Module.new do
    def call(env)
      @app.call(env)
    end
  end)
end

# It tells of each port in the words of an older Ruby, and fails of that; and what it starts would hold on to the output of Vagrant.
Vagrant::LXC::Action::ForwardPorts.prepend(Module.new do
  def forward_ports
    guest = @env[:machine].provider.ssh_info[:host]
    @env[:forwarded_ports].each do |port|
      ends = ["#{port[:host_ip]}:#{port[:host]}", "#{port[:guest_ip] || guest}:#{port[:guest]}"]
      quiet = { in: File::NULL, out: File::NULL, err: File::NULL, pgroup: true }
      # It ends the children of what is noted.
      store_redir_pid(port[:host], Process.spawn("sh", "-c", 'redir -n "$0" "$1"; :', *ends, quiet))
    end
  end
end)

Vagrant::LXC::Driver.prepend(Module.new do
  protected

  # As root it would write over the beginning of what is there, and leave the rest.
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
