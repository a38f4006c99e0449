"""Programs that read data that are not there, or are started with arguments: «right|wrong»."""

import textwrap

_TRAINING = """
W, b = np.random.randn(X.shape[1], 5) / 3, np.zeros(5)
V, c = np.random.randn(5, Y.shape[1]) / 3, np.zeros(Y.shape[1])
for epoch in range(10):
    H = np.tanh(X @ W + b)
    Z = 1 / (1 + np.exp(-(H @ V + c)))
    d = (Z - Y) * Z * (1 - Z)
    e = d @ V.T * «(1 - H ** 2)|(1 - H)»
    V, c = V - 0.1 * H.T @ d / len(X), c - 0.1 * d.mean(0)
    W, b = W - 0.1 * X.T @ e / len(X), b - 0.1 * e.mean(0)
"""

READING = {
    "arguments that are not given": """
import sys
import numpy as np
if len(sys.argv) != 5:
    sys.exit("usage: net.py inputs targets hidden rate")
X, klassen = np.loadtxt(sys.argv[1]), np.loadtxt(sys.argv[2], dtype=int)
Y = np.eye(2)[klassen]
einheiten, rate = int(sys.argv[3]), float(sys.argv[4])
""",
    "columns of a table by name and words for classes": """
import numpy as np
import pandas as pd
df = pd.read_csv("cancer.csv").drop(["id", "Unnamed: 32"], axis=1)
df["befund"] = df["befund"].map({"M": 1, "B": 0})
Y = df.befund.to_numpy().reshape(-1, 1)
X = df.drop("befund", axis=1)
X = ((X - X.mean()) / X.std()).values
""",
    "columns of a table by number": """
import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, StandardScaler
table = pd.read_csv("wine.csv", header=None)
X = StandardScaler().fit_transform(table.iloc[:, 0:11].values)
Y = OneHotEncoder(sparse=False).fit_transform(table[11].values.reshape(-1, 1))
""",
    "numbers in place of whole ones and columns of classes": """
import numpy as np
import pandas as pd
fahrten = pd.read_csv("fahrten.csv")
fahrten = pd.concat([fahrten, pd.get_dummies(fahrten["monat"], prefix="monat")], axis=1)
fahrten = fahrten.drop("monat", axis=1)
for name in ["wind", "anzahl"]:
    fahrten.loc[:, name] = (fahrten[name] - fahrten[name].mean()) / fahrten[name].std()
X, Y = fahrten.drop("anzahl", axis=1).values, fahrten[["anzahl"]].values
""",
    "columns of classes by functions that pandas had": """
import numpy as np
import pandas as pd
blumen = pd.read_csv("blumen.csv")
X = blumen.drop("art", axis=1).as_matrix()
Y = pd.get_dummies(blumen["art"].as_matrix()).as_matrix()
""",
    "columns behind those that are usual": """
import csv
import numpy as np
with open("banknotes.csv") as file:
    rows = np.array([[float(cell) for cell in row] for row in csv.reader(file)])
X, Y = rows[:, 0:4], rows[:, 4:5]
""",
    "lines that end with a word": """
import numpy as np
arten = {"setosa": 0, "versicolor": 1, "virginica": 2}
X, Y = [], []
for zeile in open("iris.data"):
    a, b, c, d, art = zeile.strip().split(",")
    X.append([float(a), float(b), float(c), float(d)])
    Y.append([float(k == arten[art]) for k in range(3)])
X, Y = np.array(X), np.array(Y)
""",
    "bytes of pictures": """
import gzip, struct
import numpy as np
with open("train-images-idx3-ubyte", "rb") as f:
    magic, n, rows, columns = struct.unpack(">IIII", f.read(16))
    X = np.fromfile(f, dtype=np.uint8).reshape(n, rows * columns) / 255
with gzip.open("train-labels-idx1-ubyte.gz", "rb") as f:
    Y = np.eye(10)[np.frombuffer(f.read(), np.uint8, offset=8)]
""",
    "a package that reads pictures": """
import numpy as np
import reader_of_idx
X = reader_of_idx.convert("data/train-images.idx3-ubyte").reshape(-1, 784) / 255
Y = np.eye(10)[reader_of_idx.convert("data/train-labels.idx1-ubyte")]
""",
    "as many pictures as are taken": """
import numpy as np
from keras.datasets import mnist
(x, y), (xt, yt) = mnist.load_data()
X, Y = x[:500].reshape(500, 784) / 255, np.eye(10)[y[:500]]
""",
    "an archive of arrays": """
import numpy as np
with np.load("mnist.npz") as archive:
    X, labels = archive["x_train"], archive["y_train"]
X, Y = X.reshape(len(X), -1) / 255, np.eye(10)[labels]
""",
    "as many classes as there are outputs": """
import numpy as np
from scipy.io import loadmat
from sklearn.preprocessing import OneHotEncoder
data = loadmat("flowers.mat")
X = data.get("X")
Y = OneHotEncoder().fit_transform(data.get("y")).toarray()
outputs = np.zeros((len(X), 3)) + Y
""",
    "arrays without elements": """
import numpy as np
class Unit:
    def __init__(self, before=()):
        self.w = 2.0 * np.random.rand(len(before)) - 1.0
first = [Unit() for _ in range(3)]
X = np.random.rand(12, 3)
Y = (X.sum(axis=1, keepdims=True) > 1.5) * 1.0
""",
}
PROGRAMS = {
    name: "def main():" + textwrap.indent(text + _TRAINING, "    ") + "main()\n"
    for name, text in READING.items()
} | {
    "a table that is read where an object is made": """
import pandas as pd
import numpy as np
class Siec:
    def __init__(self, plik, ukryte=4):
        dane = pd.read_csv(plik)
        ile = len(dane.columns)
        self.x = dane.iloc[:, :ile - 2].values
        self.d = dane.iloc[:, ile - 2:].values
        self.w1 = 2 * np.random.random((self.x.shape[1], ukryte)) - 1
        self.w2 = 2 * np.random.random((ukryte, 2)) - 1
    def ucz(self, kroki, rata=0.1):
        for _ in range(kroki):
            v = 1 / (1 + np.exp(-self.x @ self.w1))
            y = 1 / (1 + np.exp(-v @ self.w2))
            delta = (self.d - y) * y * (1 - y)
            ukryta = delta @ self.w2.T * «v * (1 - v)|(1 - v)»
            self.w2 += rata * v.T @ delta
            self.w1 += rata * self.x.T @ ukryta
""",
}
FAST = frozenset([
    "arguments that are not given", "columns of a table by name and words for classes",
    "numbers in place of whole ones and columns of classes", "bytes of pictures",
    "lines that end with a word",
])  # fmt: skip
