/** Lines of inventories in public repositories, with anonymous names and addresses. */
export const HOST_LINES: readonly string[] = String.raw`
node1 ansible_host=192.0.2.10 ip=192.0.2.10 etcd_member_name=etcd1
master0	ansible_ssh_host=192.0.2.231
node1 ansible_ssh_host=192.0.2.101 ansible_ssh_pass='123456'     #指定连接
node01 http_port=80              #分别为每个主机定义变量
node02 ansible_host=192.0.2.67 ansible_user=root ansible_ssh_pass='123456'
192.0.2.200 ansible_user=vagrant ansible_connection=ssh ansible_ssh_common_args='-o StrictHostKeyChecking=no'
node4 ansible_host=192.0.2.14 ansible_port=22 ansible_user="root" ansible_ssh_pass="admin@123"
192.0.2.122 ansible_user=centos ansible_ssh_private_key_file=./server-key.pem
dev-lb1 ansible_host=192.0.2.120 ansible_user=centos environment=development
192.0.2.37 ansible_ssh_private_key_file=~/.vagrant.d/insecure_private_key
openshift-master	ansible_host=192.0.2.4 openshift_node_labels="{'region':'infra','zone':'east'}" openshift_schedulable=true
master1.vagrant.test openshift_node_labels="{'region': 'infra', 'zone': 'default'}" openshift_ip=192.0.2.6
192.0.2.9 containerized=true openshift_docker_options="--log-driver json-file --log-opt max-size=3M --log-opt max-file=3" openshift_schedulable=false
node1.example.com  openshift_public_ip=192.0.2.169 openshift_node_labels="{'region': 'infra','zone': 'default'}" openshift_schedulable=True
azure ansible_host=192.0.2.3 host_role="my test host"
container ansible_host=server ansible_connection=lxc_ssh ansible_ssh_extra_args=container
localhost ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}"
undercloud ansible_user=cloud-user ansible_ssh_extra_args='-o StrictHostKeyChecking=no' undercloud_public_ip=192.0.2.77
freeipa ansible_user=cloud-user ansible_ssh_extra_args='-o StrictHostKeyChecking=no -J cloud-user@192.0.2.5' ctlplane_ip=192.0.2.8
spud ansible_connection=ssh ansible_host=????? ansible_become=true ansible_become_method=sudo
mysql ansible_ssh_host=192.0.2.102 ansible_become=yes ansible_become_method=sudo ansible_become_user=admin ansible_become_pass=123qwe
srv-pki.example.com ansible_host=192.0.2.3 ansible_user=ansible ansible_ssh_private_key_file=~/.ssh/id_ed25519 ansible_become=true ansible_become_user=root
tomcat3 mysecret="'03#pa33w0rd'" # proper quoting to prevent value changes
host2 ansible_port=222 # defined inline, interpreted as an integer
kvm-host-01 ansible_host=192.0.2.1 ansible_python_interpreter=/usr/bin/python3
docker1 ansible_port=2222
glusterfs-client ansible_host=192.0.2.6 ansible_connection=ssh ansible_python_interpreter=auto_silent ansible_become=true
ceph-osd-0 ansible_host=192.0.2.95 
192.0.2.55 worker_private_ip=192.0.2.55 hostname=worker-01 
vyos01 ansible_ssh_common_args='-o ProxyCommand="ssh -W %h:%p -q bastion01"'
192.0.2.20 ansible_ssh_common_args="-J debian@192.0.2.1"
osd1 devices="[ '/dev/sdb', '/dev/sdc' ]" dedicated_devices="['/dev/sdd']"
mon1 monitor_interface=eth0 radosgw_address=192.0.2.6 osd_scenario=collocated
es1 es_roles="['master','data']" es_heap_size=4g es_data_dirs=/data/es
zoo1 zookeeper_id=1 zoo_tick=2000 quorum=0755
aix1 ansible_ssh_args="-o GSSAPIAuthentication=yes -o UserKnownHostsFile=/home/ldap/known_hosts" ansible_host_key_checking=false
win1 ansible_winrm_transport=ntlm ansible_winrm_server_cert_validation=ignore rack=07 serial=0x1F
escaped1 banner="say \"hi\" now" path=C:\\temp
quoted1 a="one two" b='three "four"' c=five\ six
hash1 hash=123#456 b=2
`
  .split('\n')
  .filter((line) => line.trim() !== '')

export const VARS_LINES: readonly string[] = `
http_port=8080
   http_port=9090
has_java = True # vars in child groups override same in parent
has_java = False # 'all' is 'top' parent
ansible_ssh_private_key_file=server-key.pem
ansible_ssh_port=22
ansible_ssh_user=root
debug_mode=true
ansible_become=yes
deployment_type=openshift-enterprise
openshift_release=v3.9
openshift_release=3.9
openshift_disable_check=disk_availability,docker_image_availability,docker_storage
openshift_master_identity_providers=[{'name': 'htpasswd_auth', 'login': 'true', 'challenge': 'true', 'kind': 'HTPasswdPasswordIdentityProvider', 'filename': '/etc/origin/master/htpasswd'}]
openshift_logging_es_nodeselector={"node-role.kubernetes.io/infra":"true"}
openshift_node_kubelet_args={'pods-per-core': ['20']}
ansible_service_broker_registry_whitelist=[".*-apb$"]
openshift_logging_elasticsearch_proxy_image_version="v1.0.0"
openshift_master_htpasswd_file='/etc/origin/master/htpasswd'
openshift_router_selector='region=infra'
openshift_master_default_subdomain=master.192.0.2.100.nip.io
openshift_master_htpasswd_users={'admin': '$apr1$DloeoaY3$nqbN', 'dev': '$apr1$x'}
logging_elasticsearch_rollout_override=false
osm_cluster_network_cidr=10.32.0.0/12
ansible_ssh_common_args='-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'
ansible_ssh_common_args="-J jump_host -F ssh.cfg"
ansible_ssh_common_args="-o StrictHostKeyChecking=no"
ansible_ssh_common_args='-o ProxyCommand="ssh -W %h:%p -q bastion01"'
ansible_password=!vault...
ansible_ssh_pass="..."
allowed_ports=80,443
allowed_ports=(80, 443)
quoted_comment="web.example.com"   # the public name
x=abc # def
empty=
empty=""
version="1.10"
version=1.10
mode=0644
mode='0644'
uuid=12345678901234567890
size=10_000
ratio=1e3
color=0xFF
listen=::
url=http://example.com/?a=1&b=2
cmd=echo "hi" there
none=None
nested={'a': {'b': [1, 2.5, True, None]}}
`
  .split('\n')
  .filter((line) => line.trim() !== '')

/** Documents of group_vars. */
export const YAML_TEXTS: readonly string[] = [
  'tls: yes\nverbose: no\nswitch: on\nother: Off\nletter: y\nno: n\n',
  'mode: 0644\nhex: 0x1F\nbinary: 0b11\nmodern: 0o17\neight: 08\nspaced: 1_000\n',
  'time: 1:30:00\nport: 22:22\nduration: 12:30:45.5\nmac: 02:42:ac:11:00:02\n',
  'defaults: &defaults { a: 1, b: 2 }\nsite: { <<: *defaults, b: 3 }\n',
  'a: &a { x: 1 }\nb: &b { x: 2, y: 2 }\nboth: { <<: [*a, *b], z: 3 }\nquoted: { "<<": 1 }\n',
  'day: 2024-01-31\nmoment: 2001-12-14t21:59:43.10-05:00\nquoted: "2024-01-31"\n',
  'one: 1e3\ntwo: 1.5e3\nthree: 1.5e+3\nfour: .5\nfive: 5.\nsix: -.5\nbig: 12345678901234567890\n',
  'ansible_ssh_common_args: \'-o ProxyCommand="ssh -W %h:%p -q devops@ops-center"\'\n',
  'allowed_ssh_ips:\n  - "203.0.113.42/32"\nmicrok8s_version: "1.31/stable"\n',
  'ansible_become: True\nansible_become_method: enable\nproxy_env:\n  http_proxy: http://proxy.example.com:8080\n',
  'none: ~\nempty:\nnull_: null\nNull: Null\n',
  'text: |\n  one\n  two\nfolded: >-\n  one\n  two\n',
  'secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n',
  'jinja: "{{ other }}"\nraw: !unsafe "{{ kept }}"\n',
  'str: !!str 1\nint: !!int "3"\nset: !!set {a, b}\n',
  'binary: !!binary aGk=\n',
  'tag: !custom 1\n',
  '{"a": 1e3, "b": "yes", "c": [true, null, 0.5]}',
  'a: 1\na: 2\n',
  'yes: 1\n2: x\nnull: y\n',
  '? [1, 2]\n: 3\n',
  'a: =\n',
  '- a\n- b: [1, no]\n',
  '--- # first\na: 1\n...\n',
  '---\na: 1\n---\nb: 2\n',
  'windows: 1\r\nlines: yes\r\n',
  '{ a: 1, b: [x, y: z] }\n',
  "a: 'it''s'\nb: \"\\x41\\u00e9\\n\"\n",
  'list: [1,2,]\nplain: a:b\nhash: a#b\ncomment: a # b\n',
]
