/* Commands on stdin and their acks, PROTOCOL.md. */
#pragma once

#include <stdbool.h>

#include "probes.h"

void commands_open(const struct probes *probes);
/* Carries out what has come, however little the reader takes. */
void commands_run(void);
/* stdin has ended, and all that came before has been answered; or the reader takes nothing. */
bool commands_have_ended(void);
