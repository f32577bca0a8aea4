/** A class with class-validator's decorators; made without arguments. */
export type Class<T extends object = object> = new () => T;
