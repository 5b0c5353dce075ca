/* SPDX-License-Identifier: MIT */
#pragma once

/* polkit's textual agent, which asks for a password on this terminal when an action needs one, like
 * systemctl. Started once at most, and not for root. Where it isn't installed, the action is denied. It ends
 * with this program. */
void agent_start(void);
void agent_stop(void);
