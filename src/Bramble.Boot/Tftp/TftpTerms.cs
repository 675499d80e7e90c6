using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tftp;

/// <summary>What client and server agreed on for one transfer; fixed for its life.</summary>
internal sealed record TftpTerms
{
    /// <summary>Octets of the file as sent.</summary>
    public required long Length { get; init; }

    public int BlockSize { get; init; } = TftpOption.DefaultBlockSize;

    public int WindowSize { get; init; } = 1;

    /// <summary>The client's own retransmission interval (RFC 2349 §2); null to measure it.</summary>
    public TimeSpan? Interval { get; init; }

    public required TftpTiming Timing { get; init; }

    /// <summary>The options to acknowledge; empty means that block 1 is the first answer.</summary>
    public IReadOnlyList<TftpOption> Granted { get; init; } = [];

    /// <summary>
    /// The number of the last block, counted without rollover. A file that fills its blocks exactly ends with an
    /// empty one, because only a short block ends a transfer (RFC 1350 §6).
    /// </summary>
    public long LastBlock => Length / BlockSize + 1;

    /// <summary>Octets of payload in a block.</summary>
    public int PayloadOf(long block) => (int)Math.Clamp(Length - (block - 1) * BlockSize, 0, BlockSize);

    /// <summary>
    /// Grants what can be granted. A size above our limit is lowered, which the RFCs allow; a value that breaks its
    /// RFC ends the request, because a client that sends it would not do what it promises. Options that we do not
    /// know are left out of the answer (RFC 2347 §2).
    /// </summary>
    public static bool TryAgree(
        IReadOnlyList<TftpOption> asked, long length, TftpOptions options, out TftpTerms terms, out TftpError refusal)
    {
        terms = new TftpTerms { Length = length, Timing = options.Timing };
        refusal = default;
        if (asked.Count == 0) return true;
        var granted = new List<TftpOption>(asked.Count);
        foreach (var option in asked)
        {
            if (option.Is(TftpOption.BlockSize))
            {
                if (!TryNumber(option, TftpOption.MinBlockSize, long.MaxValue, out var size, out refusal)) return false;
                // At least 8 even if someone configures less: RFC 2348 knows no smaller block.
                var limit = Math.Clamp(options.MaxBlockSize, TftpOption.MinBlockSize, TftpOption.MaxBlockSize);
                terms = terms with { BlockSize = (int)Math.Min(size, limit) };
                granted.Add(new TftpOption(option.Name, terms.BlockSize));
            }
            else if (option.Is(TftpOption.WindowSize))
            {
                if (!TryNumber(option, 1, long.MaxValue, out var size, out refusal)) return false;
                terms = terms with { WindowSize = (int)Math.Min(size, Math.Max(1, options.MaxWindowSize)) };
                granted.Add(new TftpOption(option.Name, terms.WindowSize));
            }
            else if (option.Is(TftpOption.Timeout))
            {
                if (!TryNumber(option, 1, 255, out var seconds, out refusal)) return false;
                terms = terms with { Interval = TimeSpan.FromSeconds(seconds) };
                granted.Add(option);
            }
            else if (option.Is(TftpOption.TransferSize))
            {
                // RFC 2349 §3 has the client send 0; some send another number, which means the same in a read.
                if (!TryNumber(option, 0, long.MaxValue, out _, out refusal)) return false;
                granted.Add(new TftpOption(option.Name, length));
            }
        }
        terms = terms with { Granted = granted };
        return true;
    }

    private static bool TryNumber(
        TftpOption option, long min, long max, out long value, out TftpError refusal)
    {
        refusal = default;
        if (option.TryGetNumber(out value) && value >= min && value <= max) return true;
        refusal = new TftpError(TftpErrorCode.OptionRefused, max == long.MaxValue
            ? $"{option.Name} must be a number of {min} or more"
            : $"{option.Name} must be a number of {min} to {max}");
        return false;
    }
}
