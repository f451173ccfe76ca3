/**
 * Inventories of Ansible, read as parts of an inventory of Provision.
 *
 * @module provision-ts/ansible
 */
export {
  type AnsibleGroup,
  type AnsibleGroupOptions,
  type AnsibleInventory,
  type AnsibleOptions,
  fromAnsible,
} from './inventory.ts'
