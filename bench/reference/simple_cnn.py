"""The study's own network in PyTorch, as both peers use it."""

import torch
from torch import nn


class SimpleCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=5, padding=2)
        self.fc1 = nn.Linear(64 * 7 * 7, 1000)
        self.fc2 = nn.Linear(1000, 10)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):  # [batch, 1, 28, 28]
        x = self.pool(torch.relu(self.conv1(x)))  # [batch, 32, 14, 14]
        x = self.pool(torch.relu(self.conv2(x)))  # [batch, 64, 7, 7]
        x = torch.relu(self.fc1(x.flatten(1)))  # [batch, 1000]
        return self.fc2(self.dropout(x))  # [batch, 10]
