import { credential, hosts, inventorySchema, keyPair, text } from 'provision-ts'

/** The values of an inventory. */
export const servers = inventorySchema({
  /** The name of the virtual host. */
  domain: text,
  certificate: keyPair,
  /** The public keys of Ana, who is a user with sudo. */
  anaKeys: text,
  /** The password of the role `shop` in the database. */
  shopPassword: credential,
  servers: hosts(),
})
