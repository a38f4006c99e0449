"""The mistakes people make in backpropagation, by kind: backward passes that carry one, and their texts.

Reading order: entry, output, hidden_layers, gradients, behaviour, dropout.
"""
