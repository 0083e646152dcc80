"""The U-Net of src/network/unet.ts in PyTorch: an oracle for the tests and the peer of bench/training.mjs.

Usage: torch_unet.py FOLDER… Reads FOLDER/plan.json and the raw float32 files parameters.bin, image.bin, target.bin
(parameters in the order of listParameters); writes result.json and, where the plan's `gradient` is true, the first
step's gradient and the last step's parameters (gradient.bin, trained.bin). With `double`, all is computed and written
in double precision. TORCH_DEVICE=cuda computes on a GPU, in float32 unless TORCH_TF32=1.
"""
import json
import os
import sys
import time
import resource

import numpy as np
import torch
import torch.nn.functional as F


def run(folder):
    plan = json.load(open(f"{folder}/plan.json"))
    if plan.get("threads") is not None:
        torch.set_num_threads(plan["threads"])
    device = os.environ.get("TORCH_DEVICE", "cpu")
    tf32 = os.environ.get("TORCH_TF32") == "1"
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    clock = time.process_time if plan.get("busy") else time.perf_counter
    net, loss_plan, opt = plan["unet"], plan["loss"], plan["optimiser"]
    d = net["dimensions"]
    conv = F.conv2d if d == 2 else F.conv3d
    conv_transpose = F.conv_transpose2d if d == 2 else F.conv_transpose3d
    max_pool = F.max_pool2d if d == 2 else F.max_pool3d

    def load(name, shape):
        array = torch.from_numpy(np.fromfile(f"{folder}/{name}.bin", dtype=np.float32).reshape(shape).copy())
        return (array.double() if plan.get("double") else array).to(device)

    def save(name, tensors):
        np.concatenate([t.detach().cpu().numpy().ravel() for t in tensors]).tofile(f"{folder}/{name}.bin")

    image = load("image", [plan["batch"], net["inputChannels"], *plan["patch"]])
    target = load("target", [plan["batch"], net["outputs"], *plan["patch"]])
    flat = load("parameters", [-1])
    parameters = []
    offset = 0
    for spec in plan["parameters"]:
        size = int(np.prod(spec["shape"]))
        parameters.append(flat[offset:offset + size].reshape(spec["shape"]).clone().requires_grad_())
        offset += size
    assert offset == len(flat)

    def forward(image):
        rest = iter(parameters)

        def add_bias(x):
            return x + next(rest).reshape([1, -1] + [1] * d)

        def activate(x):
            scale = next(rest)
            return F.leaky_relu(F.instance_norm(x, weight=scale, bias=next(rest), eps=1e-5), 0.01)

        def level(x):
            for _ in range(net["convolutions"]):
                x = activate(conv(x, next(rest), padding=1))
            return x

        def down(x):
            return max_pool(x, 2) if net["down"] == "max-pool" else activate(conv(x, next(rest), stride=2))

        def up(x):
            if net["up"] == "transposed":
                return conv_transpose(x, (w := next(rest)), bias=next(rest), stride=2)
            w = next(rest)
            return F.interpolate(conv(x, w, bias=next(rest)), scale_factor=2, mode="nearest")

        skips, x = [], image
        for i in range(len(net["channels"])):
            if i > 0:
                skips.append(x)
                x = down(x)
            x = level(x)
        for skip in reversed(skips):
            x = level(torch.cat([skip, up(x)], 1))
        w = next(rest)
        return conv(x, w, bias=next(rest))

    def loss_of(logits):
        result = 0
        if loss_plan["kind"] != "soft-dice":
            result = result + F.binary_cross_entropy_with_logits(logits, target)
        if loss_plan["kind"] != "cross-entropy":
            p = torch.sigmoid(logits)
            axes = [a for a in range(p.dim()) if a > 1 or (a == 0 and loss_plan["scope"] == "batch")]
            s = loss_plan["smoothing"]
            ratio = (2 * (p * target).sum(axes) + s) / (p.sum(axes) + target.sum(axes) + s)
            result = result + (1 - ratio).mean()
        return result

    groups = [
        {"params": [p for p, s in zip(parameters, plan["parameters"]) if s["decays"] == decays], "weight_decay": rate}
        for decays, rate in [(True, opt["weightDecay"]), (False, 0)]
    ]
    optimiser = torch.optim.AdamW(groups, lr=1, betas=(opt["beta1"], opt["beta2"]), eps=opt["epsilon"])
    losses, norms, seconds = [], [], []
    for step, rate in enumerate(plan["learningRates"]):
        begin = clock()
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        value = loss_of(forward(image))
        value.backward()
        if step == 0 and plan.get("gradient"):
            save("gradient", [p.grad for p in parameters])
        if opt["clipNorm"] is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(parameters, opt["clipNorm"]).item())
        optimiser.step()
        losses.append(value.item())
        seconds.append(clock() - begin)
    if plan.get("gradient"):
        save("trained", parameters)
    train_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    inference = []
    with torch.no_grad():
        for _ in range(plan.get("inferences", 0)):
            begin = clock()
            probability = torch.sigmoid(forward(image))
            if device == "cuda":
                torch.cuda.synchronize()
            inference.append(clock() - begin)
    name = torch.cuda.get_device_name() if device == "cuda" else device
    json.dump({"losses": losses, "norms": norms, "seconds": seconds, "inference": inference, "memoryKb": train_memory,
               "torch": torch.__version__, "device": name}, open(f"{folder}/result.json", "w"))


for folder in sys.argv[1:]:
    run(folder)
