/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A daemon that systemd has started for a client, and that cannot start, leaves that client waiting at its
 * socket: so it is started again at once, to say the same, until systemd has had enough. With this the
 * clients that wait get an answer, 503, and there is one start, and one line, for each that comes.
 */
void turn_away_waiting(int n_listeners); /* that were passed */
