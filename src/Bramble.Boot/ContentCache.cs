namespace Bramble.Boot;

/// <summary>
/// The parts of boot files that clients read at present, in memory once for all of them: boards that boot together
/// read the same dozen files. Bounded; the page that was not read for longest gives way. Copies of what may change
/// under its tag are not kept. Thread-safe, and nothing is allocated once the pages are there.
/// </summary>
public sealed class ContentCache(int pages = ContentCache.DefaultPages)
{
    /// <summary>Octets of a page: forty blocks of a TFTP transfer.</summary>
    public const int PageSize = 64 << 10;

    /// <summary>16 MiB in all.</summary>
    public const int DefaultPages = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<PageKey, Page> _byKey = [];
    private readonly List<Page> _pages = [];
    private int _hand;

    internal readonly record struct PageKey(string Tag, long Number);

    /// <summary>A piece of a file, guarded by its own lock, so that a slow medium holds up only who needs it.</summary>
    internal sealed class Page
    {
        public byte[] Octets { get; } = new byte[PageSize];

        /// <summary>What it is to hold; guarded by the cache's lock.</summary>
        public PageKey Claimed { get; set; }

        /// <summary>What it holds: a piece of this content; null for nothing.</summary>
        public string? Tag { get; set; }

        public long Number { get; set; }

        public int Length { get; set; }

        /// <summary>Read since the hand of the clock last came by.</summary>
        public volatile bool IsUsed;
    }

    /// <summary>A reader of one content, which remembers where it was. For one thread at a time.</summary>
    public struct Reader(IBootContent content)
    {
        private readonly string? _tag = content.MayBeKept ? content.Tag : null;
        private Page? _page;

        /// <summary>Fills the buffer from an offset, short only at the end of the file.</summary>
        /// <exception cref="IOException">The medium failed.</exception>
        public int Read(ContentCache cache, long offset, Span<byte> buffer)
        {
            if (_tag is null) return content.Read(offset, buffer);
            var done = 0;
            while (done < buffer.Length)
            {
                var at = offset + done;
                var number = at / PageSize;
                int n;
                var within = (int)(at - number * PageSize);
                // The page at hand may be behind us, or by now hold something else.
                if (_page is not { } page || (n = Copy(page, number, within, buffer[done..])) < 0)
                {
                    _page = cache.Claim(_tag, number);
                    n = Fill(_page, number, within, buffer[done..]);
                }
                if (n == 0) break;
                done += n;
            }
            return done;
        }

        /// <summary>Copies out of the page; -1 if it is another one.</summary>
        private readonly int Copy(Page page, long number, int within, Span<byte> into)
        {
            lock (page) return page.Number == number && page.Tag == _tag ? CopyOut(page, within, into) : -1;
        }

        /// <summary>Reads the page from the medium, unless another reader has, and copies out of it.</summary>
        private readonly int Fill(Page page, long number, int within, Span<byte> into)
        {
            lock (page)
            {
                if (page.Number != number || page.Tag != _tag)
                {
                    page.Tag = null;
                    page.Length = content.Read(number * PageSize, page.Octets);
                    (page.Tag, page.Number) = (_tag, number);
                }
                return CopyOut(page, within, into);
            }
        }

        private static int CopyOut(Page page, int within, Span<byte> into)
        {
            page.IsUsed = true;
            var n = Math.Clamp(page.Length - within, 0, into.Length);
            page.Octets.AsSpan(within, n).CopyTo(into);
            return n;
        }
    }

    /// <summary>The page for a piece: the one that has it or will, else the one that is needed least.</summary>
    private Page Claim(string tag, long number)
    {
        var key = new PageKey(tag, number);
        lock (_lock)
        {
            if (_byKey.TryGetValue(key, out var page)) return page;
            page = _pages.Count < pages ? New() : Oldest();
            page.Claimed = key;
            page.IsUsed = true;
            _byKey[key] = page;
            return page;
        }
    }

    private Page New()
    {
        var page = new Page();
        _pages.Add(page);
        return page;
    }

    private Page Oldest()
    {
        while (true)
        {
            _hand = (_hand + 1) % _pages.Count;
            var page = _pages[_hand];
            if (!page.IsUsed)
            {
                _byKey.Remove(page.Claimed);
                return page;
            }
            page.IsUsed = false;
        }
    }
}
