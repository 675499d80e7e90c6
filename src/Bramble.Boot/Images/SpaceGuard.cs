namespace Bramble.Boot.Images;

/// <summary>Refuses to fill the disk that the store lies on: the manager's own database may share it.</summary>
internal sealed class SpaceGuard(string directory, long reserveBytes, Func<long>? freeBytes = null)
{
    /// <exception cref="ImageException">So many bytes more would leave less than the reserve.</exception>
    public void Need(long bytes)
    {
        var free = freeBytes?.Invoke() ?? new DriveInfo(directory).AvailableFreeSpace;
        if (free - bytes >= reserveBytes) return;
        throw new ImageException(
            $"The disk that holds {directory} has {free / 1_000_000} MB free; {bytes / 1_000_000} MB are needed and " +
            $"{reserveBytes / 1_000_000} MB must remain. Make room (bramble image rm) or move the store.");
    }
}
