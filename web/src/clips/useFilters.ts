/** The filters of the library, which the address keeps: reload, "back" and bookmarks bring them again. */

import { replace, useRoute } from "../app/route";
import { type Filters, filtersOf, searchOf } from "./filters";

export function useFilters(): [Filters, (change: Partial<Filters>) => void] {
  const route = useRoute();
  const filters = filtersOf(route.page === "clips" ? route.search : "");
  const change = (some: Partial<Filters>) =>
    replace({ page: "clips", clipId: null, search: searchOf({ ...filters, ...some }) });
  return [filters, change];
}
