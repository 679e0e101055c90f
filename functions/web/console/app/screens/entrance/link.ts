/** The token of a link from a mail. It is taken out of the address, so that it stays neither in the history nor in a copied link. */
export function takeToken(): string | null {
  const url = new URL(location.href);
  const token = url.searchParams.get("token");
  if (token) history.replaceState(null, "", url.pathname);
  return token;
}
