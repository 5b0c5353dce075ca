#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Read by boot.sh in the new root, before PID 1: what a fresh machine of an operator would look like, and three people.
set -euo pipefail

# Images for Docker forbid packages to start services and leave their pages out.
rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/docker /etc/dpkg/dpkg.cfg.d/excludes

# An index of all the machine's manual pages, at each installation, is none of ours.
rm -f /var/lib/man-db/auto-update

# Nothing of an earlier life of the machine below us.
rm -rf /etc/gemgate /var/lib/gemgate /etc/dbus-1/system.d/org.gemgate1.conf /etc/polkit-1/rules.d/*gemgate*

# member joins the group gemgate when there is one (conftest.py), stranger never, friend is allowed by polkit.
for user in member stranger friend; do
        useradd --create-home --home-dir "/var/tmp/$user" --shell /bin/sh "$user"
done
