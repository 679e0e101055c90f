/** Keys of a request that is repeated: the same body has the same key, so nothing is done twice, and a corrected one has another. */
export class Once {
  private body = "";
  private key = "";

  keyOf(body: object): string {
    const text = JSON.stringify(body);
    if (text !== this.body) {
      this.body = text;
      this.key = crypto.randomUUID();
    }
    return this.key;
  }
}
