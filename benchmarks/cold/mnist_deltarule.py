"""MNIST to 97.92 %: deltarule. Arguments: folder, seed, epochs, engine."""

import sys

import deltarule as dr
from benchmarks.cold.images import WANTED, report

folder, seed, epochs, engine = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
mnist = dr.datasets.load(folder)
X, X_test = (dr.Scaled(part.X, scale=255) for part in (mnist, mnist.test))
net = dr.Network([784, 200, 80, 10], output="softmax", dtype="float32", seed=seed)
accuracy = 0.0


def test(run):
    global accuracy
    accuracy = (net.predict(X_test, engine=run.engine).argmax(axis=1) == mnist.test.y).mean()
    run.stop = accuracy >= WANTED


history = dr.train(
    net,
    X,
    mnist.y,
    optimizer="adam(one_cycle(0.01))",
    epochs=epochs,
    batch_size=256,
    callbacks=[test],
    engine=engine,
    seed=seed,
)
report(history.epochs, accuracy)
