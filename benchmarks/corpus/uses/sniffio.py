import asyncio

import sniffio


async def main():
    print(sniffio.current_async_library())


asyncio.run(main())
try:
    sniffio.current_async_library()
except sniffio.AsyncLibraryNotFoundError as error:
    print(error)
