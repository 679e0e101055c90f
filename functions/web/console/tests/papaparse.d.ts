/** As much of `papaparse` as the tests use. */
declare module "papaparse" {
  const papa: {
    parse<T>(text: string, options: { header: true; skipEmptyLines: true }): { data: T[] };
    unparse(rows: object[]): string;
  };
  export default papa;
}
