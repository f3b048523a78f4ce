"""The picture of a back-test: scores by the number of trainings. Only what draws loads matplotlib."""
