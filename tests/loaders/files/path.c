/*
 * SPDX-License-Identifier: MIT
 */

/**
 * @file A legrövidebb út két pont között.
 */
#include <stdio.h>

int main(void) { return 0; }
