import { hosts, inventorySchema, text } from 'provision-ts'

/** What an inventory has to give: a team, and servers, each with its purpose. */
export const site = inventorySchema({
  team: text,
  servers: hosts({ purpose: text }),
})
