import type { LocretRequests } from '../contract/protocol.js';

/** A name of something that can be asked for. */
export type Method = keyof LocretRequests;
export type ParamsOf<Of extends Method> = LocretRequests[Of]['params'];
export type ResultOf<Of extends Method> = LocretRequests[Of]['result'];
export type PartialOf<Of extends Method> = LocretRequests[Of]['partial'];

/** One call, as whoever carries it sees it. */
export interface Call<Of extends Method> {
  /** Fires when the caller gives it up. */
  readonly signal: AbortSignal;
  /** Takes what comes before the result. */
  readonly onPartial: (partial: PartialOf<Of>) => void;
}

/** How far something is that takes long, for people. */
export interface WorkProgress {
  readonly message: string;
  /** 0..1; undefined while it cannot be told. */
  readonly share?: number | undefined;
}

/** Something that takes long: what it is called, and how far it is at the moment; undefined when nothing is to be told. */
export interface Work {
  readonly title: string;
  progress(): WorkProgress | undefined;
}

/** Something that the program does when it is asked to, whoever carries the question. */
export interface UseCase<Of extends Method> {
  /**
   * Checks what came from outside.
   * @throws LocretError invalid-argument, naming the parameter, its value and what was expected
   */
  readonly parse: (params: unknown) => ParamsOf<Of>;
  readonly handle: (params: ParamsOf<Of>, call: Call<Of>) => Promise<ResultOf<Of>>;
  /** Only of what takes long. */
  readonly work?: (params: ParamsOf<Of>) => Work;
}

/** Some of the program's use cases. */
export type UseCases<Of extends Method> = { readonly [Name in Of]: UseCase<Name> };

/** Everything that the program does, by its method. */
export type Service = UseCases<Method>;

/** The methods of a service. */
export function methods(service: Service): readonly Method[];
export function methods(service: object): readonly string[] {
  return Object.keys(service);
}
