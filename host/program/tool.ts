/**
 * What a program that only writes files for the monitor needs, and no more, so that it starts quickly.
 *
 * @module
 */

export {
  bytesValue,
  choiceValue,
  COMMON_OPTIONS,
  countValue,
  lastValue,
  LOG_OPTIONS,
  type Option,
  optionsHelp,
  outputOptions,
  type ParsedArgs,
  parseWords,
  RAW_OPTION,
  requiredValue,
  secondsValue,
  textValue,
} from "./options.ts";
export { COLONY_OPTION, colonyValue, type PlaceOption, placeValue, requiredPlace } from "./colony_option.ts";
export { describeError } from "../deno_errors.ts";
export { isLocked } from "../files/is_locked.ts";
export {
  isFileIn,
  mayList,
  mayRead,
  namesIn,
  postFile,
  postMessage,
  readLinkedFile,
  readOwnFile,
  readTextFile,
  removeFile,
  shareFile,
} from "../files/post.ts";
export { nearest } from "./nearest.ts";
export {
  answerCommon,
  calledName,
  complain,
  ExitError,
  printShown,
  type Program,
  runProgram,
  turnOnce,
} from "./program.ts";
export { outliveFileSizeLimit } from "./signals.ts";
