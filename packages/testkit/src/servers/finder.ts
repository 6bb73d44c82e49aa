/** How one kind of server is come by. A source says what was found in a form that survives JSON. */
export interface Finder<Source> {
  /** As a person would write it: `Redis`. */
  readonly name: string
  /** What to install or to set where nothing was found. */
  readonly advice: string
  /** What is there already. Quick, and changes nothing. */
  look(): Promise<Source | undefined>
  /** How this machine could come by one: a few words for the person who waits, and the work. */
  setUp(): Promise<SetUp<Source> | undefined>
  describe(source: Source): string
}

export interface SetUp<Source> {
  readonly what: string
  work(): Promise<Source>
}
