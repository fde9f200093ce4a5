"""What a token of a training row is. The order counts: from ANSWER on it is to be learned as an answer.

KEY is the part of an answer that takes two hops to find: the place of a definition, where its documentation begins."""

PAD, CODE, QUESTION, ANSWER, KEY = 0, 1, 2, 3, 4
