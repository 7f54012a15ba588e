/**
 * V8 of Node 24 and 26 may read the escaped name of one object as that of an earlier one that had a backslash in it
 * (https://github.com/nodejs/node/issues/63785).
 */
const misreads = [JSON.parse('{"first":[],"\\\\":0}'), JSON.parse('{"first":1,"\\/":0}')].every((read) => '\\' in read)

/** Whether names in JSON are read right, in this Node, after an object that had this one. */
export function isLegible(name: string): boolean {
  return !misreads || !name.includes('\\')
}
