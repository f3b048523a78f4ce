"""The version of the messages: to be raised with every change that an older worker or supervisor cannot read.

It is part of the queues' names from the second on (shared/names.py), so that workers that speak another one do not
take what they cannot read.
"""

MESSAGE_VERSION = 2
