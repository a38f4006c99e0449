"""MNIST to 97.92 %: scikit-learn, which has Adam but no schedule for it. Arguments: folder, seed, epochs."""

import sys

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.cold.images import WANTED, read, report

folder, seed, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
X, y, X_test, y_test = read(folder)
X, X_test = X.astype(np.float32) / 255, X_test.astype(np.float32) / 255
model = MLPClassifier((200, 80), batch_size=128, learning_rate_init=0.001, random_state=seed)
epoch, accuracy = 0, 0.0
while epoch < epochs and accuracy < WANTED:
    epoch += 1
    model.partial_fit(X, y, classes=np.arange(10))
    accuracy = model.score(X_test, y_test)
report(epoch, accuracy)
