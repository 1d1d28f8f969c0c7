/* The operations of native/PROTOCOL.md: one table, what each needs, and how its arguments are read. */
#pragma once

#include "control.h"

/* Runs one request. With OUTCOME_FAILED the failure is set. OUTCOME_GONE: the connection is no longer there. */
enum outcome operations_run(struct monitor *monitor, struct connection *connection, const struct wire_request *request, struct failure *failure);
