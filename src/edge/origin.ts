/** Where a client comes from, and whom it asked for. */
export interface Origin {
  /** The client's own, as a believed balancer told it where there is one. */
  readonly address: string;
  readonly port: number;
  /** The id of the instance that the TLS server name means. */
  readonly serverName: string | undefined;
}
