import { Refused } from "../api/problem.ts";

/** The answer of somebody who was asked, and leaves all as it is: the form keeps its input and says nothing. */
export const KEPT = new Refused(409, {});
