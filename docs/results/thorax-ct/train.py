"""Trains the networks of this study in PyTorch on one GPU: 3 organs, 4 strengths of noise, 3 losses, 5 folds = 180
binary 2-D U-Nets of five neighbouring slices. All of a fold train at once, on the same slices, moved and scaled alike.

  train.py prepare DATASET NOISY PACK       packs DATASET and its noisy versions, NOISY/Dataset1_ORGAN_SIGMA
  train.py train PACK OUT                   trains, and keeps the held-out patients' logits (torch, a GPU)
  train.py unpack DATASET PACK OUT RESULTS  writes them as probabilities, an .nii.gz a patient

PACK holds images.npy (uint8, slices × 128 × 128: HU −300 to 500 in steps of 4, around the body's middle), labels.npy
(uint16, a bit for each organ's clean label and for its noisy one at each strength) and cases.json.
"""
import contextlib
import json
import lzma
import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

ORGANS = ["heart", "aorta", "esophagus"]
SIGMAS = [2, 4, 6, 9]
LOSSES = ["cross-entropy", "soft-dice", "dice+cross-entropy"]
FOLDS = 5
SIZE = 128  # pixels of a slice that the network labels, of 3 mm
PATCH = 112  # pixels that it is trained on
OFFSETS = [-2, -1, 0, 1, 2]  # of the slices that it sees beside the one it labels


def bit(organ, sigma):
    """The bit of labels.npy: sigma 0 is the clean label."""
    i = ORGANS.index(organ)
    return i if sigma == 0 else len(ORGANS) + len(SIGMAS) * i + SIGMAS.index(sigma)


def load(pack):
    return np.load(f"{pack}/images.npy"), np.load(f"{pack}/labels.npy"), json.load(open(f"{pack}/cases.json"))


FLOOR = -4.6  # logits below it (p < 0.01) are kept as means of blocks
BLOCK = 8


def code_of(logit, m=np):
    """A logit above FLOOR as one byte: steps of 1/32 up to 3 in absolute value, of 1/8 up to 6, of 1/2 up to 9."""
    a = abs(logit)
    return m.sign(logit) * (32 * m.clip(a, 0, 3) + 8 * m.clip(a - 3, 0, 3) + 2 * m.clip(a - 6, 0, 3))


def probability_of(code, low):
    """Of codes [n, SIZE, SIZE] (-128 below FLOOR) and of the blocks' means [n, SIZE / BLOCK, SIZE / BLOCK]."""
    a = np.abs(code.astype(np.float32))
    logit = np.sign(code) * (np.clip(a, 0, 96) / 32 + np.clip(a - 96, 0, 24) / 8 + np.clip(a - 120, 0, 6) / 2)
    means = np.where(low == -128, 0, 2.0 ** (low.astype(np.float32) / 2)).repeat(BLOCK, 1).repeat(BLOCK, 2)
    return np.where(code == -128, means, 1 / (1 + np.exp(-logit))).astype(np.float32)


def fold_of(index):
    return index % FOLDS


def prepare(dataset, noisy, pack):
    """The middle SIZE × SIZE pixels of each slice, around the middle of the body, with a bit for each label."""
    import nibabel

    read = lambda path: np.asarray(nibabel.load(path).dataobj)
    value = json.load(open(f"{dataset}/dataset.json"))["labels"]
    images, labels, cases = [], [], []
    for file in sorted(os.listdir(f"{dataset}/labelsTr")):
        name = file.removesuffix(".nii.gz")
        clean, image = read(f"{dataset}/labelsTr/{file}"), read(f"{dataset}/imagesTr/{name}_0000.nii.gz")
        bits = np.zeros(clean.shape, np.uint16)
        for organ in ORGANS:
            bits |= (clean == value[organ]).astype(np.uint16) << bit(organ, 0)
            for sigma in SIGMAS:
                drawn = read(f"{noisy}/Dataset1_{organ}_{sigma}/labelsTr/{file}")
                bits |= (drawn > 0).astype(np.uint16) << bit(organ, sigma)
        start = []
        for axis in (0, 1):
            inside = np.cumsum((image > -300).sum(axis=(1 - axis, 2)))
            middle = int(np.searchsorted(inside / inside[-1], 0.5))
            start.append(min(max(0, middle - SIZE // 2), image.shape[axis] - SIZE))
        x, y = start
        cut = lambda a: np.ascontiguousarray(a[x:x + SIZE, y:y + SIZE].transpose(2, 0, 1))
        assert (cut(bits) > 0).sum() == (bits > 0).sum(), f"{name}: a label leaves the middle"
        images.append(cut(np.clip((image.astype(np.float32) + 300) / 4, 0, 200).astype(np.uint8)))
        labels.append(cut(bits))
        cases.append((name, *image.shape, x, y))
    os.makedirs(pack, exist_ok=True)
    np.save(f"{pack}/images.npy", np.concatenate(images))
    np.save(f"{pack}/labels.npy", np.concatenate(labels))
    json.dump(cases, open(f"{pack}/cases.json", "w"))


def train(pack, out, plan):
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    steps, batch, base = plan["steps"], plan["batch"], plan["base"]
    cuda = torch.cuda.is_available()
    device = "cuda" if cuda else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    images, labels, cases = load(pack)
    count = [case[3] for case in cases]
    first = np.cumsum([0] + count)
    number = np.repeat(np.arange(len(cases)), count)
    near = np.stack([np.clip(np.arange(len(number)) + o, first[number], first[number + 1] - 1) for o in OFFSETS], 1)
    images = torch.from_numpy(images).to(device)
    labels = torch.from_numpy(labels.astype(np.int32)).to(device)
    near = torch.from_numpy(near).to(device)
    channels = [base, 2 * base, 4 * base, 8 * base]

    def block(i, o):
        convolution = lambda a, b: [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.01)]
        return nn.Sequential(*convolution(i, o), *convolution(o, o))

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.ModuleList([block(i, o) for i, o in zip([len(OFFSETS)] + channels[:-1], channels)])
            self.up = nn.ModuleList([nn.ConvTranspose2d(o, i, 2, 2) for i, o in zip(channels[:-1], channels[1:])])
            self.join = nn.ModuleList([block(2 * i, i) for i in channels[:-1]])
            self.last = nn.Conv2d(base, 1, 1)

        def forward(self, x):
            skips = []
            for i, level in enumerate(self.down):
                x = level(F.max_pool2d(x, 2) if i else x)
                skips.append(x)
            for i in reversed(range(len(self.up))):
                x = self.join[i](torch.cat([skips[i], self.up[i](x)], 1))
            return F.conv2d(x.float(), self.last.weight.float(), self.last.bias.float())[:, 0]

    def loss_of(kind, logits, target):
        loss = 0
        if kind != "soft-dice":
            loss = loss + F.binary_cross_entropy_with_logits(logits, target)
        if kind != "cross-entropy":
            p = torch.sigmoid(logits)
            loss = loss + 1 - (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
        return loss

    amp = lambda kind: torch.autocast(device, dtype=kind, cache_enabled=False) if cuda else contextlib.nullcontext()

    def stack(index):
        return (images[near[index]].float() - 80) / 40

    os.makedirs(out, exist_ok=True)
    saver, saving = ThreadPoolExecutor(1), []
    for fold in plan["folds"]:
        begin = time.time()
        steps = plan["steps"]
        held = [i for i in range(len(cases)) if fold_of(i) == fold]
        pool = np.flatnonzero(~np.isin(number, held))
        rest = np.flatnonzero(np.isin(number, held))
        random = np.random.default_rng(1000 + fold)
        drawn = torch.from_numpy(random.choice(pool, (steps, batch))).to(device)
        # Rotation, scale and shift; gain and shift of the intensities: a row a slice.
        angle = random.uniform(-0.26, 0.26, (steps, batch))
        scale = PATCH / SIZE * np.exp(random.uniform(-0.16, 0.16, (steps, batch)))
        rows = np.stack([scale * np.cos(angle), -scale * np.sin(angle), random.uniform(-0.12, 0.12, (steps, batch)),
                         scale * np.sin(angle), scale * np.cos(angle), random.uniform(-0.12, 0.12, (steps, batch)),
                         random.uniform(0.85, 1.15, (steps, batch)), random.uniform(-0.15, 0.15, (steps, batch))], -1)
        moves = torch.from_numpy(rows.astype(np.float32)).to(device)

        def rates_of(steps):
            rate = lambda s: plan["rate"] * min(1, (s + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * s / steps))
            return torch.tensor([rate(s) for s in range(steps)], dtype=torch.float32, device=device)

        rates = rates_of(steps)
        check = torch.from_numpy(random.choice(rest, 64, replace=False)).to(device)
        nets = []
        bits = sorted({bit(o, s) for o, s, _ in plan["nets"]})
        priors = {b: float(((labels[torch.from_numpy(pool).to(device)] >> b) & 1).float().mean()) for b in bits}
        for organ, sigma, kind in plan["nets"]:
            torch.manual_seed(fold)
            net = UNet().to(device)
            b = bit(organ, sigma)
            nn.init.constant_(net.last.bias, math.log(priors[b] / (1 - priors[b])))
            if cuda:
                net = net.to(memory_format=torch.channels_last)
            net.train()
            lr = torch.tensor(0.0, device=device) if cuda else 1e-3
            more = dict(fused=True, capturable=True) if cuda else {}
            optimiser = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=1e-2, **more)
            nets.append(dict(net=net, optimiser=optimiser, plane=bits.index(b), kind=kind, lr=lr,
                             curve=torch.zeros(steps, device=device)))
        counter = torch.zeros(1, dtype=torch.long, device=device)
        shifts = torch.tensor(bits, dtype=torch.int32, device=device).view(1, -1, 1, 1)
        format = torch.channels_last if cuda else torch.contiguous_format

        def prepare_batch():
            index = drawn[counter][0]
            move = moves[counter][0]
            grid = F.affine_grid(move[:, :6].view(-1, 2, 3), [batch, 1, PATCH, PATCH], align_corners=False)
            x = F.grid_sample(stack(index), grid, padding_mode="border", align_corners=False)
            x = x * move[:, 6].view(-1, 1, 1, 1) + move[:, 7].view(-1, 1, 1, 1)
            planes = ((labels[index].unsqueeze(1) >> shifts) & 1).float()
            y = F.grid_sample(planes, grid, mode="nearest", align_corners=False)
            return x.contiguous(memory_format=format), y

        def one(entry, x, y):
            with amp(torch.bfloat16):
                logits = entry["net"](x)
            loss = loss_of(entry["kind"], logits, y[:, entry["plane"]])
            entry["optimiser"].zero_grad(set_to_none=True)
            loss.backward()
            if cuda:
                entry["lr"].copy_(rates[counter][0])
            entry["optimiser"].step()
            entry["curve"].index_copy_(0, counter, loss.detach().view(1))

        streams = [torch.cuda.Stream() for _ in range(plan["streams"])] if cuda else []

        def step_all():
            x, y = prepare_batch()
            if len(streams) > 1:
                main = torch.cuda.current_stream()
                for k, entry in enumerate(nets):
                    stream = streams[k % len(streams)]
                    stream.wait_stream(main)
                    with torch.cuda.stream(stream):
                        one(entry, x, y)
                for stream in streams:
                    main.wait_stream(stream)
            else:
                for entry in nets:
                    one(entry, x, y)
            counter.add_(1)

        def held_out():
            x = stack(check).contiguous(memory_format=format)
            found = []
            with torch.no_grad(), amp(torch.float16):
                for entry in nets:
                    entry["net"].eval()
                    logits = entry["net"](x)
                    target = ((labels[check] >> bits[entry["plane"]]) & 1).float()
                    found.append(float(loss_of(entry["kind"], logits, target)))
                    entry["net"].train()
            return found

        if cuda:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    step_all()
            torch.cuda.current_stream().wait_stream(side)
            torch.cuda.synchronize()
            for entry in nets:
                entry["optimiser"].zero_grad(set_to_none=True)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                step_all()
            torch.cuda.synchronize()
            go = graph.replay
        else:
            go = step_all
        done = int(counter)
        print(f"fold {fold}: ready in {time.time() - begin:.1f} s, {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB",
              flush=True) if cuda else None
        held_curve = []
        start = time.time()
        if plan.get("seconds"):
            # As many steps as the time allows, measured once.
            for _ in range(30):
                go()
            torch.cuda.synchronize()
            done += 30
            each = (time.time() - start) / 30
            plan["steps"] = steps = min(steps, int(plan.pop("seconds") / len(plan["folds"]) / each) // 50 * 50)
            print(f"{1000 * each:.1f} ms a step: {steps} steps", flush=True)
        rates[:steps] = rates_of(steps)
        every = max(1, steps // 10)
        for step in range(done, steps):
            go()
            if (step + 1) % every == 0:
                held_curve.append(held_out())
        if cuda:
            torch.cuda.synchronize()
        seconds = time.time() - start
        print(f"fold {fold}: {1000 * seconds / (steps - done):.2f} ms a step of {len(nets)} networks", flush=True)
        curves = torch.stack([entry["curve"][:steps] for entry in nets]).cpu().numpy()
        if cuda:
            del graph
        # The held-out patients' logits.
        logits, lows = [], []
        for entry in nets:
            net = entry["net"].eval()
            parts = []
            with torch.no_grad(), amp(torch.float16):
                for part in torch.from_numpy(rest).to(device).split(256 if cuda else 16):
                    z = net(stack(part).contiguous(memory_format=format))
                    below = (z < FLOOR).float()
                    mean = lambda x: F.avg_pool2d(x[:, None], BLOCK)[:, 0]
                    means = mean(torch.sigmoid(z) * below) / mean(below).clamp(min=1e-9)
                    low = torch.where(means > 1e-6, (2 * torch.log2(means.clamp(min=1e-6))).round(), -128 + 0 * means)
                    code = torch.where(below > 0, -128 + 0 * z, code_of(z, torch).round())
                    parts.append((code.char().cpu(), low.char().cpu()))
            codes, means_of_blocks = (torch.cat(list(part)).numpy() for part in zip(*parts))
            logits.append(codes)
            lows.append(means_of_blocks)
        result = dict(fold=fold, nets=plan["nets"], cases=[cases[i][0] for i in held], steps=steps, batch=batch,
                      base=base, seconds=round(time.time() - begin, 1),
                      curves=np.round(curves[:, : steps // 50 * 50].reshape(len(nets), -1, 50).mean(2), 5).tolist(),
                      heldOut=np.round(np.array(held_curve).T, 5).tolist())
        print(f"fold {fold}: predicted after {time.time() - begin:.1f} s", flush=True)
        saving.append(saver.submit(save, out, fold, result, logits, lows))
        print(f"fold {fold}: {time.time() - begin:.1f} s in all", flush=True)
    for one_saved in saving:
        one_saved.result()


def unpack(dataset, pack, out, results):
    """RESULTS/LOSS/ORGAN/SIGMA/fold_K/CASE.nii.gz: a probability map a held-out patient, on the grid of its image."""
    import nibabel

    cases = {case[0]: case for case in json.load(open(f"{pack}/cases.json"))}
    for fold in range(FOLDS):
        head, network = opened(f"{out}/fold-{fold}.bin")
        for k, (organ, sigma, loss) in enumerate(head["nets"]):
            probability = network(k)
            folder = f"{results}/{loss}/{organ}/{sigma}/fold_{fold}"
            os.makedirs(folder, exist_ok=True)
            start = 0
            for name in head["cases"]:
                _, nx, ny, nz, x, y = cases[name]
                whole = np.zeros((nx, ny, nz), np.float32)
                whole[x:x + SIZE, y:y + SIZE] = probability[start:start + nz].transpose(1, 2, 0)
                start += nz
                affine = nibabel.load(f"{dataset}/labelsTr/{name}.nii.gz").affine
                nibabel.save(nibabel.Nifti1Image(whole, affine), f"{folder}/{name}.nii.gz")
        print(f"fold {fold}", flush=True)


def save(out, fold, result, logits, lows):
    """One file a fold: the plan and curves as JSON, then each network's codes and block means, compressed."""
    def packed(array):
        # Differences along a row compress better than values.
        return lzma.compress(np.diff(array, axis=2, prepend=np.int8(0)).tobytes(), preset=2)

    with ThreadPoolExecutor(16) as pool:
        parts = list(pool.map(packed, [*logits, *lows]))
    shapes = [list(logits[0].shape), list(lows[0].shape)]
    lengths = [len(part) for part in parts]
    head = json.dumps({**result, "shapes": shapes, "lengths": lengths}).encode()
    with open(f"{out}/fold-{fold}.bin", "wb") as file:
        file.write(len(head).to_bytes(8, "little") + head + b"".join(parts))
    print(f"fold {fold}: {sum(lengths) / 1e6:.1f} MB", flush=True)


def opened(path):
    """What `save` wrote: its JSON, and for each network its probabilities."""
    with open(path, "rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        parts = [file.read(length) for length in head["lengths"]]
    n = len(head["nets"])

    def array(part, shape):
        return np.cumsum(np.frombuffer(lzma.decompress(part), np.int8).reshape(shape), axis=2, dtype=np.int8)

    def network(k):
        return probability_of(array(parts[k], head["shapes"][0]), array(parts[n + k], head["shapes"][1]))

    return head, network


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(*sys.argv[2:5])
    if sys.argv[1] == "train":
        plan = dict(steps=1550, batch=12, base=24, rate=2e-3, streams=8, folds=list(range(FOLDS)),
                    nets=[(o, s, l) for l in LOSSES for o in ORGANS for s in SIGMAS])
        plan.update(json.loads(sys.argv[4]) if len(sys.argv) > 4 else {})
        train(sys.argv[2], sys.argv[3], plan)
    if sys.argv[1] == "unpack":
        unpack(*sys.argv[2:6])
