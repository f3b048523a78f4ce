"""The version of the messages: raised with every change that a released worker or supervisor cannot read.

It is part of the queues' names from the second on (shared/names.py), so that workers that speak another one do not
take what they cannot read. Nothing is released yet, so it is 1 whatever changes.
"""

MESSAGE_VERSION = 1
