"""10,000 updates of the 2-2-2 network: PyTorch."""

import json

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 2), nn.Sigmoid())
with torch.no_grad():
    model[0].weight.copy_(torch.tensor([[0.15, 0.20], [0.25, 0.30]]))
    model[2].weight.copy_(torch.tensor([[0.40, 0.45], [0.50, 0.55]]))
    model[0].bias.fill_(0.35)
    model[2].bias.fill_(0.60)
for layer in (model[0], model[2]):
    layer.bias.requires_grad_(False)
x, y = torch.tensor([[0.05, 0.10]]), torch.tensor([[0.01, 0.99]])
optimizer = torch.optim.SGD([model[0].weight, model[2].weight], lr=0.5, fused=True)
for _ in range(10_000):
    optimizer.zero_grad(set_to_none=True)
    loss = ((model(x) - y) ** 2).sum() / 2
    loss.backward()
    optimizer.step()
with torch.inference_mode():
    loss = ((model(x) - y) ** 2).sum() / 2
print(json.dumps({"loss": loss.item()}))
