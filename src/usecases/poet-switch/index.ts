export { cancelSwitch } from './cancel.ts';
export { type SwitchNote, switchNote } from './note.ts';
export { type RecoverOptions, runRecover } from './recover.ts';
export { runSwitch } from './run.ts';
export type { SwitchOptions } from './session.ts';
