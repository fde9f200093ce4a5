/** The optional `locret.json` of a model folder: how this model is best read with. Absent fields are chosen by the plan. */
export interface LocretSettings {
  /** System sentence before the repository; undefined: the product's own. */
  readonly instructions?: string;
  /** Absolute path of the retaining heads. */
  readonly heads?: string;
  readonly budget?: number;
  readonly chunk?: number;
  readonly stabilizers?: number;
  /** Last tokens of the memory that are appended without eviction (n_loc). */
  readonly local?: number;
  /** Slots the model handles well; default `max_position_embeddings`. */
  readonly window?: number;
}
