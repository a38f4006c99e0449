"""MNIST to 97.92 %: PyTorch. Arguments: folder, seed, epochs."""

import sys

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.cold.images import WANTED, read, report

folder, seed, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(seed)
X, y, X_test, y_test = (torch.tensor(array) for array in read(folder))
X, X_test = X.float() / 255, X_test.float() / 255
y, y_test = y.long(), y_test.long()
model = nn.Sequential(nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 80), nn.ReLU(), nn.Linear(80, 10))
for module in model:
    if isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)
optimizer = torch.optim.Adam(model.parameters(), fused=True)
n_batches = -(-len(X) // 256)
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, 0.01, total_steps=epochs * n_batches, cycle_momentum=False
)
epoch, accuracy = 0, 0.0
while epoch < epochs and accuracy < WANTED:
    epoch += 1
    for rows in torch.randperm(len(X)).split(256):
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(model(X[rows]), y[rows]).backward()
        optimizer.step()
        schedule.step()
    with torch.inference_mode():
        accuracy = (model(X_test).argmax(dim=1) == y_test).double().mean().item()
report(epoch, accuracy)
