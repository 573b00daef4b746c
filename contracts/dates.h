/* dates: what a node asks of the entries that its own clients write, where a kind has its authors
 * date them (`dated`): that they are not dated far ahead of now. It is no part of a merge or of
 * what makes an entry valid, which know no clock (lesson M5): what peers send is taken as it is. */
#ifndef WEIR_CONTRACTS_DATES_H
#define WEIR_CONTRACTS_DATES_H

#include "contracts/kind.h"

/* Looks at each entry of a delta for the contract of this key. kind NULL: not known here; entries
 * that are dated show their kind themselves. Bytes that are no delta are not this one's to refuse.
 * ERR_BAD_STATE naming the entry, and how far it is ahead of now_ms (Unix time). */
MUST_USE int dates_check(const struct contract_key *contract, const struct kind *kind,
                         struct slice delta, uint64_t now_ms, struct reason *why);

#endif
