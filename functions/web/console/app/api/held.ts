/** Options of a query whose answer fills a form: it must not change under the hands of somebody who fills it in. */
export const HELD = { staleTime: Infinity, gcTime: 0 };
