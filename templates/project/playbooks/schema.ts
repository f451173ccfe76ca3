import { hosts, inventorySchema, text } from 'provision-ts'

/** The values of an inventory: a team, and servers, each with its purpose. */
export const site = inventorySchema({
  team: text,
  servers: hosts({ purpose: text }),
})
