"""The demonstration: digits, tested on people whose writing was not trained on. No download.

Beside what the search finds it retrains what one often begins with: Adam at a constant rate.
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="demo",
    dataset="digits?split=writers",
    shape=(8, 8, 1),
    architecture="cnn",
    space=cnn.space,
    published=(Published(name="plain", config={"optimizer": "adam", "lr": 1e-3}),),
    trials=16,
    epochs=20,
)

if __name__ == "__main__":
    main(JOB)
