/* nftables through one context for the life of the helper: no process, no parser start-up, one netlink socket. */
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "operations.h"
#include "wire/wire.h"

/* Numbers, not names from /etc/services and the like: what is printed must not depend on the host's files. */
static const unsigned int output_flags = NFT_CTX_OUTPUT_NUMERIC_ALL;

static struct nft_ctx *context(struct failure *failure) {
  static struct nft_ctx *nft;
  if (nft) return nft;
  struct nft_ctx *created = nft_ctx_new(NFT_CTX_DEFAULT);
  if (!created) {
    fail(failure, "opening nftables");
    return NULL;
  }
  if (nft_ctx_buffer_output(created) != 0 || nft_ctx_buffer_error(created) != 0) {
    fail(failure, "buffering the output of nftables");
    nft_ctx_free(created);
    return NULL;
  }
  return nft = created;
}

/* The library tells why only in words, which are strerror's. */
static int error_in(const char *message) {
  static const int known[] = {EEXIST, ENOENT, EBUSY, EPERM, ENOMEM, EOPNOTSUPP, ENOBUFS, EAFNOSUPPORT, ENFILE};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strstr(message, strerror(known[i]))) return known[i];
  }
  return EINVAL;
}

int run_nft(const struct call *call, struct failure *failure) {
  /* What is printed: text, JSON, or text without the elements of sets. */
  static const unsigned int flags[] = {0, NFT_CTX_OUTPUT_JSON, NFT_CTX_OUTPUT_TERSE};
  uint64_t output_kind;
  if (wire_number(call->argument[1], "output", 0, 2, &output_kind, failure) < 0) return -1;
  struct nft_ctx *nft = context(failure);
  if (!nft) return -1;
  nft_ctx_output_set_flags(nft, output_flags | flags[output_kind]);
  int result = nft_run_cmd_from_buffer(nft, call->argument[0]);
  /* Asking for a buffer also empties it, so both are always asked for. */
  const char *errors = nft_ctx_get_error_buffer(nft);
  const char *output = nft_ctx_get_output_buffer(nft);
  if (result != 0) return fail_as(failure, error_in(errors ? errors : ""), "%s", errors && *errors ? errors : "nftables gave no reason");
  if (answer(call, output ? output : "", NULL) == 0) return 0;
  if (errno != EMSGSIZE) return ANSWER_LOST;
  return fail_as(failure, EMSGSIZE, "nftables printed %zu bytes, more than fit into an answer: list less at once", strlen(output));
}
