#!/usr/bin/env python3
# -*- coding: cp1251 -*-
# Copyright 2024 Anna
# Licensed under the Apache License
"""Считает слова в файле.

Слова разделены пробелами.
"""

import sys


def count(path):
    """Вернуть число слов."""
    return len(open(path).read().split())
