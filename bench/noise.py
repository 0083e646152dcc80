"""The scipy recipe for noisy labels and marginals, full grid and cropped; prints one JSON object of seconds."""
import json, sys, time
import nibabel, numpy as np
from scipy import ndimage

path, sigma_mm, length_mm, repeats = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
image = nibabel.load(path)
labels = np.asarray(image.dataobj).astype(np.uint8)
spacing = np.array(image.header.get_zooms()[:3], float)


def sample(labels, rng):
    """White noise, gaussian_filter to correlation exp(-r^2 / 2 l^2), scaled to sigma, labels fetched by
    map_coordinates."""
    filter_sigma = length_mm / np.sqrt(2) / spacing
    gain = np.prod([np.sqrt(2 * np.sqrt(np.pi) * s) for s in filter_sigma])  # unit variance of filtered white noise
    coordinates = np.indices(labels.shape, dtype=np.float32)
    for axis in range(3):
        noise = rng.standard_normal(labels.shape, dtype=np.float32)
        smooth = ndimage.gaussian_filter(noise, filter_sigma, mode="nearest")
        coordinates[axis] += smooth * (gain * sigma_mm / spacing[axis])
    return ndimage.map_coordinates(labels, coordinates, order=0, mode="nearest")


def timed(f, n):
    times = []
    for _ in range(n):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


rng = np.random.default_rng(0)
where = np.argwhere(labels > 0)
margin = np.ceil(4 * sigma_mm / spacing).astype(int)
low = np.maximum(0, where.min(0) - margin)
high = np.minimum(labels.shape, where.max(0) + margin + 1)
crop = np.ascontiguousarray(labels[tuple(slice(a, b) for a, b in zip(low, high))])
mask = labels.astype(np.float32)
reused = np.zeros_like(mask)
print(json.dumps({
    "scipy": __import__("scipy").__version__,
    "shape": labels.shape,
    "crop": crop.shape,
    "sampleFull": timed(lambda: sample(labels, rng), repeats),
    "sampleCrop": timed(lambda: sample(crop, rng), 3),
    "marginalReused": timed(lambda: ndimage.gaussian_filter(mask, sigma_mm / spacing, output=reused), 3),
    "marginal": timed(lambda: ndimage.gaussian_filter(mask, sigma_mm / spacing), 3),
}))
