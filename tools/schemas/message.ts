/** The schema of a message. */
export const MESSAGE = {
  title: "A message to a monitor of NColony",
  description: "A file in the messages directory. Other keys are ignored.",
  type: "object",
  required: ["type"],
  properties: {
    type: { enum: ["RESTART", "restart", "RESTART-ALL", "restart-all", "RESTART-GROUP", "restart-group"] },
    from: { description: "who sends it: a string" },
    reason: { description: "why: a string" },
    incarnation: { description: "the start of the process that it is meant for: an integer" },
  },
  allOf: [
    {
      if: { properties: { type: { enum: ["RESTART", "restart"] } } },
      then: {
        if: { required: ["name"] },
        then: { properties: { name: { description: "the process to restart", type: "string" } } },
        else: { required: ["value"], properties: { value: { description: "like name", type: "string" } } },
      },
    },
    {
      if: { properties: { type: { enum: ["RESTART-GROUP", "restart-group"] } } },
      then: { required: ["group"], properties: { group: { description: "the group to restart", type: "string" } } },
    },
  ],
};
