"""The catalogue: the mistakes people make in backpropagation, each with its name, its reason and its remedy.

A mistake's ``variants`` are backward passes that carry it. Code lines use W (in, out), samples in rows, and
layer l with the layer l+1 after it.
"""

from __future__ import annotations

from dataclasses import replace

from deltarule.diagnosis import variants
from deltarule.diagnosis.backprop import Backprop
from deltarule.registry import record

__all__ = ["MISTAKES", "Mistake", "mistake"]


@record
class Mistake:
    """One mistake.

    Parameters
    ----------
    key : str
        Its name in programs: ``"no_slope_at_output"``.
    title : str
        Its name for people.
    why : str
        How it comes about.
    wrong, right : str
        The line as it is, and as it should be.
    remedy : str
        What to do.
    variants : tuple of Backprop subclasses
        Backward passes that have it; none where it shows in how the code behaves.
    lines : tuple of str
        The line as it is in each of the variants, where they differ.
    """

    key: str
    title: str
    why: str
    wrong: str
    right: str
    remedy: str
    variants: tuple[type[Backprop], ...]
    lines: tuple[str, ...] = ()

    def as_in(self, index: int) -> Mistake:
        """The same with the line of one of its variants."""
        return replace(self, wrong=self.lines[index]) if self.lines else self

    @property
    def of_dropout(self) -> bool:
        """Whether it can only be made with dropout."""
        return self.key.startswith("dropout")


MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "slope_missing_at_output",
        "no f′ at the output",
        "The output's delta is the error alone. That is right for cross-entropy, where the slope cancels, "
        "and is easily "
        "copied from there; with a squared error the slope of the output's activation belongs to the chain "
        "rule.",
        "delta_L = a_L − y",
        "delta_L = (a_L − y) · f′(z_L)",
        "Multiply the error by the slope of the output activation, for a sigmoid a_L·(1 − a_L).",
        (variants.NoSlopeAtOutput, variants.ErrorAsDelta),
    ),
    Mistake(
        "slope_too_many_at_output",
        "one f′ too many at the output",
        "With cross-entropy the derivative of the loss and the slope of sigmoid or softmax cancel; what is "
        "left is a − y.",
        "delta_L = (a_L − y) · a_L·(1 − a_L)",
        "delta_L = a_L − y",
        "Leave the slope out: it is in a − y already.",
        (variants.SlopeTooMany,),
    ),
    Mistake(
        "softmax_elementwise",
        "softmax's derivative taken neuron by neuron",
        "Each output of a softmax depends on every z of its row, not only on its own. a·(1 − a) is how it "
        "depends on its own.",
        "delta_L = ∂loss/∂a · a·(1 − a)",
        "delta_L = a − y   (with cross-entropy)",
        "Use the short form a − y; with another loss, a · (g − Σ g·a) where g = ∂loss/∂a. A check: each row "
        "of delta_L must sum to 0.",
        (variants.SoftmaxElementwise,),
    ),
    Mistake(
        "softmax_twice",
        "softmax applied twice",
        "The network ends in a softmax, and the loss applies one again (many libraries' losses expect raw "
        "z).",
        "delta_L = softmax(softmax(z)) − y",
        "delta_L = softmax(z) − y",
        "Apply softmax once: in the network, or in the loss.",
        (variants.SoftmaxTwice,),
    ),
    Mistake(
        "softmax_over_samples",
        "softmax over the wrong axis",
        "The exponentials are divided by their sum over the samples, not over the classes.",
        "e / e.sum(axis=0)",
        "e / e.sum(axis=1, keepdims=True)",
        "Sum over the classes of each sample: each row of outputs must sum to 1.",
        (variants.SoftmaxOverSamples,),
    ),
    Mistake(
        "broadcast_targets",
        "targets (n,) against outputs (n, 1)",
        "Outputs of shape (n, 1) less targets of shape (n,) give an (n, n) array (NumPy repeats both until "
        "they fit: broadcasting): every output is compared with every target.",
        "a − y   with shapes (n, 1) and (n,)",
        "a − y.reshape(-1, 1)",
        "Give the targets the outputs' shape, and check delta's shape once.",
        (variants.BroadcastTargets, variants.BroadcastMean),
    ),
    Mistake(
        "slope_of_wrong_quantity",
        "f′ of the wrong quantity",
        "A derivative written in terms of a, such as a·(1 − a), is given z, or one written in terms of z "
        "is given a: the "
        "activation is applied twice or not at all.",
        "f′ of another quantity than z",
        "f′(z), for a sigmoid a·(1 − a), for tanh 1 − a²",
        "Decide whether your derivative takes z or a, and pass it that.",
        (
            variants.hidden_slope("of_a"),
            variants.hidden_slope("z_for_a"),
            variants.output_slope(True),
            variants.output_slope(False),
            type("Both", (variants.output_slope(True), variants.hidden_slope("of_a")), {}),
            type("Both", (variants.output_slope(False), variants.hidden_slope("z_for_a")), {}),
        ),
        (
            "f′(a) in the hidden layers: sigmoid(a)·(1 − sigmoid(a))",
            "z·(1 − z) or 1 − z² in the hidden layers",
            "f′(a) at the output: sigmoid(a)·(1 − sigmoid(a))",
            "z·(1 − z) or 1 − z² at the output",
            "f′(a) in all layers: sigmoid(a)·(1 − sigmoid(a))",
            "z·(1 − z) or 1 − z² in all layers",
        ),
    ),
    Mistake(
        "slope_missing_in_hidden_layer",
        "no f′ in a hidden layer",
        "What comes back is passed on without the slope of the neuron it passes through.",
        "delta_l = delta_{l+1} @ W_{l+1}.T",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "Multiply by the slope of the hidden activation.",
        (variants.hidden_slope("none"),),
    ),
    Mistake(
        "f_instead_of_slope",
        "f instead of f′ in a hidden layer",
        "What comes back is multiplied by the activation itself, not by its derivative.",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · a_l",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "Use the derivative: a·(1 − a) for a sigmoid, 1 − a² for tanh, z > 0 for ReLU.",
        (variants.hidden_slope("f"),),
    ),
    Mistake(
        "tanh_of_square",
        "tanh′ as 1 − tanh(z²)",
        "The square stands inside: the derivative is 1 − (tanh z)², not 1 − tanh(z²).",
        "1 − tanh(z**2)",
        "1 − tanh(z)**2",
        "Square the result, not the argument.",
        (variants.hidden_slope("tanh_of_square"),),
    ),
    Mistake(
        "relu_mask_of_wrong_array",
        "ReLU's mask taken of the wrong array",
        "The gradient passes where z > 0. Here it passes where something else is positive: what comes "
        "back, or the input.",
        "delta[delta <= 0] = 0",
        "delta[z <= 0] = 0",
        "Keep z (or a) of the forward pass, and take the mask from it.",
        (variants.rectifier_mask("back"), variants.rectifier_mask("input")),
        ("delta[delta <= 0] = 0", "delta[x <= 0] = 0   (x: what the layer takes in)"),
    ),
    Mistake(
        "error_passed_back",
        "the error is passed back instead of delta",
        "The hidden layer receives a − y through the weights; the slope of the output was left behind.",
        "(a_L − y) @ W_L.T",
        "delta_L @ W_L.T",
        "Pass back delta, the error times the slope.",
        (variants.ErrorPassedBack, variants.ErrorPassedBackOnce),
    ),
    Mistake(
        "updated_too_early",
        "weights updated before the delta behind them",
        "The output weights have moved already when the hidden delta is computed through them.",
        "W2 −= η·dW2;  delta1 = (delta2 @ W2.T) · f′(z1)",
        "delta1 = (delta2 @ W2.T) · f′(z1);  W2 −= η·dW2",
        "Compute all gradients first, then update all weights.",
        (variants.UpdatedTooEarly,),
    ),
    Mistake(
        "wrong_transpose",
        "W where its transpose belongs",
        "Going back, weights are used the other way round. In a square layer no shape complains.",
        "delta_{l+1} @ W_{l+1}",
        "delta_{l+1} @ W_{l+1}.T",
        "Transpose. A test with layers of different sizes finds it at once.",
        (variants.wrong_weights("untransposed"),),
    ),
    Mistake(
        "gradient_transposed",
        "the gradient of W is transposed",
        "dW has rows and columns exchanged; in a square layer no shape complains.",
        "dW = delta.T @ a",
        "dW = a.T @ delta   (W as (in, out))",
        "The gradient has the shape of W, entry for entry.",
        (variants.TurnedGradient,),
    ),
    Mistake(
        "wrong_layers_weights",
        "the wrong layer's weights or slope behind a hidden delta",
        "The error comes back through the weights that lead into the hidden neuron, where those that "
        "lead out of "
        "it belong, or meets the slope of a neuron of another layer. Where layers have the same size, "
        "nothing "
        "complains.",
        "delta_l = (delta_{l+1} @ W_l) · f′(z_{l+1})",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "For neuron j of layer l: the sum over k of delta_k (of the next layer) times the weight from j "
        "to k, times "
        "f′(z_j).",
        (
            variants.OwnWeightsAndNextSlope,
            variants.OwnWeightsTurnedAndNextSlope,
            variants.wrong_weights("own"),
            variants.wrong_weights("own_transposed"),
            variants.SlopeOfNextLayer,
            variants.SlopeOfLayerBefore,
        ),
        (
            "delta_l = (delta_{l+1} @ W_l.T) · f′(z_{l+1})",
            "delta_l = (delta_{l+1} @ W_l) · f′(z_{l+1})",
            "delta_l = (delta_{l+1} @ W_l.T) · f′(z_l)",
            "delta_l = (delta_{l+1} @ W_l) · f′(z_l)",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_{l+1})",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_{l−1})",
        ),
    ),
    Mistake(
        "paths_lost",
        "paths to the loss are missing",
        "A hidden neuron reaches the loss through every neuron of the next layer; what comes back on all "
        "these paths adds up.",
        "only one path, or Σdelta · ΣW, or no weights at all",
        "delta_{l+1} @ W_{l+1}.T   (for neuron j: Σ over k of delta_k · w_jk)",
        "Sum over all neurons of the next layer, each delta times its own weight.",
        tuple(map(variants.lost_paths, ("first", "last", "sums", "mean", "dropped"))),
        (
            "delta_{l+1}[:, :1] @ W_{l+1}[:, :1].T   (the next layer's first neuron only)",
            "delta_{l+1}[:, -1:] @ W_{l+1}[:, -1:].T   (the next layer's last neuron only)",
            "(Σ over k of delta_k) · (Σ over k of w_jk)",
            "the mean over k of delta_k · w_jk",
            "Σ over k of delta_k   (no weights)",
        ),
    ),
    Mistake(
        "absolute_weights",
        "|W| going back",
        "The weights lost their sign on the way back.",
        "delta_{l+1} @ abs(W_{l+1}).T",
        "delta_{l+1} @ W_{l+1}.T",
        "Use the weights as they are.",
        (variants.wrong_weights("absolute"),),
    ),
    Mistake(
        "wrong_layers_activation",
        "the wrong layer's activation in dW",
        "dW takes the layer's own output, where the output of the layer before belongs.",
        "dW_l = a_l.T @ delta_l",
        "dW_l = a_{l−1}.T @ delta_l",
        "A weight's gradient is what it was multiplied by, times delta: the input of the layer.",
        (variants.wrong_input("own"),),
    ),
    Mistake(
        "z_for_a",
        "z in the place of a in dW",
        "dW takes the weighted input of the layer before, not its output.",
        "dW_l = z_{l−1}.T @ delta_l",
        "dW_l = a_{l−1}.T @ delta_l",
        "Use what the next layer was really given: a.",
        (variants.wrong_input("z"),),
    ),
    Mistake(
        "bias_never_updated",
        "the bias has no gradient",
        "The biases' gradient is 0: they are never moved.",
        "db = 0",
        "db = delta.sum(axis=0)",
        "A bias is a weight from an input that is always 1: its gradient is delta.",
        (variants.bias("none"),),
    ),
    Mistake(
        "bias_with_itself",
        "the bias is updated with itself",
        "In the place of its gradient stands the bias: b −= η·b makes it fade away.",
        "db = b",
        "db = delta.sum(axis=0)",
        "Subtract the gradient.",
        (variants.bias("itself"),),
    ),
    Mistake(
        "bias_summed_wrongly",
        "the bias gradient is summed wrongly",
        "delta has a row for each sample and a column for each neuron: a bias gradient sums the samples "
        "only.",
        "db = delta.sum(),  delta.mean(),  delta[0],  delta",
        "db = delta.sum(axis=0)",
        "Sum over the samples; with the mean over samples in delta already, do not divide again.",
        tuple(map(variants.bias, ("all", "mean_of_all", "times_n", "mean", "first", "last", "unsummed"))),
        (
            "db = delta.sum()   (over samples and neurons)",
            "db = delta.mean()   (over samples and neurons)",
            "db = n · delta.sum(axis=0)",
            "db = delta.mean(axis=0)   (delta is divided by n already)",
            "db = delta[0]   (the first sample only)",
            "db = delta[-1]   (the last sample only)",
            "db = delta   (a row for each sample, not summed)",
        ),
    ),
    Mistake(
        "one_sample_only",
        "only one sample counts",
        "The gradient is that of the first or last sample: inside the loop over samples it is overwritten, "
        "not added up.",
        "dW = x.T @ delta   (in the loop)",
        "dW += x[i].T @ delta[i]   for each sample i",
        "Add up over the samples.",
        (
            variants.one_sample(0),
            variants.one_sample(-1),
            variants.one_sample_whole(0),
            variants.one_sample_whole(-1),
            variants.one_sample_in_weights(0),
            variants.one_sample_in_weights(-1),
        ),
        (
            "dW = x[0].T @ delta[0] / n,  db likewise   (the first sample only)",
            "dW = x[-1].T @ delta[-1] / n,  db likewise   (the last sample only)",
            "dW = x[0].T @ delta[0],  db likewise   (the first sample only)",
            "dW = x[-1].T @ delta[-1],  db likewise   (the last sample only)",
            "dW = x[0].T @ delta[0] / n   (the first sample only; db is right)",
            "dW = x[-1].T @ delta[-1] / n   (the last sample only; db is right)",
        ),
    ),
    Mistake(
        "l2_wrong",
        "the L2 penalty's gradient is wrong",
        "The penalty l2/2·ΣW² has the gradient l2·W: for weights, not for biases, with a plus, not divided "
        "by n.",
        "dW + c·W with another c, or with ΣW for W, or also db + l2·b",
        "dW + l2·W",
        "Derive it from the penalty as it stands in your loss.",
        tuple(
            map(variants.l2_penalty, ("missing", "doubled", "halved", "negative", "over_n", "sum", "biases"))
        ),
        (
            "dW   (without the penalty)",
            "dW + 2·l2·W",
            "dW + l2·W / 2",
            "dW − l2·W",
            "dW + l2·W / n",
            "dW + l2·ΣW",
            "dW + l2·W,  and also  db + l2·b",
        ),
    ),
    Mistake(
        "sign",
        "the sign is wrong",
        "The gradient points downhill: y − a instead of a − y, with an update that subtracts; or the other "
        "way round.",
        "dW = −∂loss/∂W",
        "dW = ∂loss/∂W",
        "Either (a − y) and W −= η·dW, or (y − a) and W += η·dW.",
        (variants.scaled("-1"),),
    ),
    Mistake(
        "sum_for_mean",
        "a sum over the samples where the loss is a mean",
        "The loss is divided by the number of samples n, its gradient is not.",
        "dW = a.T @ delta",
        "dW = a.T @ delta / n",
        "Divide by n once, best in delta_L.",
        (variants.scaled("n"),),
    ),
    Mistake(
        "divided_twice",
        "divided by n twice",
        "The mean over the samples is taken in delta and again in dW and db, or again in every layer.",
        "delta / n … dW / n",
        "delta / n, once",
        "Divide by n once, best in delta_L.",
        (variants.scaled("1/n"), variants.DividedAgainEachLayer),
        (
            "delta_L = … / n,  and again  dW = a.T @ delta / n",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l) / n   in every layer",
        ),
    ),
    Mistake(
        "factor",
        "a constant factor",
        "Every gradient is right up to one factor: a 2 or ½ of the square, or a mean over the outputs. "
        "That is a convention "
        "of the loss rather than an error, as long as loss and gradient have the same one.",
        "c · ∂loss/∂W",
        "∂loss/∂W",
        "Differentiate the very loss that you print: (a − y)²/2 gives a − y, (a − y)² gives 2(a − y).",
        tuple(map(variants.scaled, ("2", "1/2", "1/K", "2/K", "K", "K/2"))),
        (
            "2 · ∂loss/∂W",
            "∂loss/∂W / 2",
            "∂loss/∂W / K   (K outputs)",
            "2 · ∂loss/∂W / K   (K outputs)",
            "K · ∂loss/∂W   (K outputs)",
            "K/2 · ∂loss/∂W   (K outputs)",
        ),
    ),
    Mistake(
        "learning_rate_inside",
        "the learning rate is in the gradient",
        "The gradient is multiplied by the learning rate already; the update does so again.",
        "dW = η · a.T @ delta;  W −= η·dW",
        "dW = a.T @ delta;  W −= η·dW",
        "Apply the learning rate once.",
        (variants.scaled("eta"), variants.scaled("1/eta")),
        ("dW = η · a.T @ delta;  W −= η·dW", "dW = a.T @ delta / η;  W −= η·dW"),
    ),
    Mistake(
        "gradients_accumulate",
        "gradients add up from call to call",
        "Arrays that hold gradients are made once and added to at every call; or one list is shared by "
        "all layers.",
        "self.dW += …   (never set to 0)",
        "dW = zeros_like(W) at the beginning of each backward pass",
        "Begin each backward pass with zeros, and make copies where a list is to be kept.",
        (),
    ),
    Mistake(
        "changes_its_inputs",
        "the arrays passed in are changed",
        "Weights or samples are worked on in place: the caller's arrays change too, and a second call, or a "
        "check by finite differences, starts from other numbers.",
        "W -= eta * dW   (on the caller's array)",
        "W = W - eta * dW",
        "Return gradients and leave the arguments alone, or work on copies.",
        (),
    ),
    Mistake(
        "softmax_overflows",
        "the softmax overflows",
        "For large z, e^z is infinite, and infinity by infinity is NaN. Or the greatest z of the whole array "
        "was taken away, so that rows with smaller ones become 0 by 0.",
        "e = exp(z)",
        "e = exp(z − z.max(axis=1, keepdims=True))",
        "Take away each row's own greatest z: the softmax does not change.",
        (),
    ),
    Mistake(
        "dropout_mask_not_applied_backward",
        "dropout's mask is not applied going back",
        "A neuron that was dropped had no say in the output, so its gradient is 0. Here the gradient reaches "
        "it all the same, and the weights before it are moved for an output that they had no part in.",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · mask_l / (1 − p) · f′(z_l)",
        "Keep the mask of the forward pass, and multiply by it, and by the same factor, going back.",
        (variants.through_dropout("nothing"), variants.through_dropout("scale only")),
        (
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) / (1 − p) · f′(z_l)",
        ),
    ),
    Mistake(
        "dropout_scaled_one_way",
        "dropout is scaled in one direction only",
        "What dropout multiplies by going forward, mask and factor, belongs into the chain rule going back. "
        "Here one direction has the factor 1/(1 − p), the other does not, or has it twice.",
        "a_l · mask / (1 − p),   but going back  · mask",
        "a_l · mask / (1 − p) going forward,  · mask / (1 − p) going back",
        "Divide the mask itself once, mask = mask / (1 − p), and multiply by it in both directions.",
        (
            variants.through_dropout("mask only"),
            variants.through_dropout("scaled"),
            variants.through_dropout("scaled twice"),
        ),
        (
            "a_l · mask / (1 − p) going forward,  · mask going back",
            "a_l · mask going forward,  · mask / (1 − p) going back",
            "a_l · mask / (1 − p) going forward,  · mask / (1 − p)² going back",
        ),
    ),
    Mistake(
        "dropout_other_mask_backward",
        "going back, dropout has another mask",
        "The gradient must pass the neurons that were kept in the forward pass. Here it passes others: the "
        "mask is drawn anew in the backward pass, or is used in the backward pass alone.",
        "mask = rng.random(a.shape) >= p   (again, in the backward pass)",
        "mask of the forward pass, kept for the backward pass",
        "Draw a mask once for each forward pass, keep it, and use it in both directions.",
        (variants.OtherMask, variants.OtherMaskScaled, variants.MaskOnlyBackward),
        (
            "mask = rng.random(a.shape) >= p   once more, in the backward pass",
            "mask = rng.random(a.shape) >= p   once more, and with another factor",
            "a_l going forward,  · mask going back",
        ),
    ),
    Mistake(
        "dropout_slope_of_dropped",
        "f′ of the activation after dropout",
        "The slope belongs to the neuron's own output. Once that is overwritten by what dropout leaves of "
        "it, divided by 1 − p, a·(1 − a) or 1 − a² gives another number.",
        "a = a · mask / (1 − p);  …  a·(1 − a)   with this a",
        "d = a · mask / (1 − p);  …  a·(1 − a)   with a before dropout",
        "Keep both: what the neuron gave (for its slope), and what dropout left of it (for the next layer).",
        (variants.SlopeOfDropped,),
    ),
    Mistake(
        "dropout_has_no_effect",
        "dropout does nothing",
        "Nothing is ever dropped: the mask is made but not used, or dropout is switched off in training.",
        "z_{l+1} = a_l @ W_{l+1} + b_{l+1}",
        "z_{l+1} = (a_l · mask / (1 − p)) @ W_{l+1} + b_{l+1}",
        "Multiply the activations by the mask in the forward pass of training.",
        (variants.NothingDropped,),
    ),
    Mistake(
        "dropout_scaled_wrongly",
        "dropout is scaled by the wrong number",
        "Where a share p is dropped, 1 − p is kept, and a sum over the kept ones is smaller by that factor: "
        "dividing by 1 − p makes up for it. Dividing by p, or multiplying by 1 − p, does not.",
        "a · mask / p,   or  a · mask · (1 − p)",
        "a · mask / (1 − p)   where p is the share that is dropped",
        "Settle whether p is the share dropped or the share kept; then divide by the share kept.",
        (),
    ),
    Mistake(
        "dropout_not_scaled",
        "dropout is not made up for",
        "With all neurons at work, predictions get larger sums than the network was trained on. Either "
        "training divides by the share kept (inverted dropout), or predictions multiply by it; here neither "
        "is done.",
        "a · mask in training,  a in predictions",
        "a · mask / (1 − p) in training,  a in predictions",
        "Divide by 1 − p in training; then predictions need no dropout at all.",
        (),
    ),
    Mistake(
        "dropout_scaled_twice",
        "dropout is made up for twice",
        "Training divides by 1 − p already, and predictions multiply by 1 − p as well: they get smaller sums "
        "than the network was trained on.",
        "a · mask / (1 − p) in training,  a · (1 − p) in predictions",
        "a · mask / (1 − p) in training,  a in predictions",
        "Do one of the two; dividing in training leaves predictions as they are.",
        (),
    ),
    Mistake(
        "dropout_active_at_test",
        "dropout is at work in predictions",
        "Neurons are dropped when the network is asked for its answer: each call answers something else, and "
        "worse.",
        "predict(X):  a = f(z) · mask / (1 − p)",
        "predict(X):  a = f(z)",
        "Drop in training only: give forward a flag training=False, and leave dropout out where it is False.",
        (),
    ),
)

_BY_KEY = {mistake.key: mistake for mistake in MISTAKES}


def mistake(key: str) -> Mistake:
    """An entry of the catalogue."""
    return _BY_KEY[key]
