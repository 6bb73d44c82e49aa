export interface MountOptions {
  /** The name above the list of conversations. Default "Chat". */
  readonly title?: string
  /** Questions that a new chat offers to begin with. Default none. */
  readonly examples?: readonly string[]
  /**
   * Whether the open conversation's id is kept in the address (`#chat/ID`), so that a reload and the back button lead to
   * it. Default true; false where the fragment belongs to the page.
   */
  readonly address?: boolean
  /** Whether the message box takes the focus at once. Default false: a page may have other plans. */
  readonly focus?: boolean
}
