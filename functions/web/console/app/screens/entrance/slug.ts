/** A name for URLs, made of the Latin letters and digits of a business's name. Empty if there are too few of them. */
export function slugOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const slug = plain.replace(/[^a-z0-9]+/g, "-").slice(0, 40).replace(/^-|-$/g, "");
  return slug.length < 3 ? "" : slug;
}
