"""Operations on batches of images, each sample with parameters of its own; bytes are rounded as torchvision does."""
