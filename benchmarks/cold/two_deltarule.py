"""10,000 updates of the 2-2-2 network: deltarule. Argument: the engine."""

import json
import sys

import deltarule as dr

net = dr.Network([2, 2, 2], activation="sigmoid", output="sigmoid", loss="half_squared_error", bias="shared")
net.set_weights([[[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]], [[0.35], [0.60]])
net.freeze("b")
X, Y = [[0.05, 0.10]], [[0.01, 0.99]]
dr.train(net, X, Y, optimizer=dr.SGD(0.5), epochs=10_000, engine=sys.argv[1])
print(json.dumps({"loss": net.cost(X, Y)}))
