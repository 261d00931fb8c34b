/* python.exe for a python311.dll that came without one. */
#include <windows.h>

typedef int (*Main)(int, wchar_t **);

int wmain(int count, wchar_t **words)
{
    HMODULE library = LoadLibraryW(L"python311.dll");
    Main main = library ? (Main)(void *)GetProcAddress(library, "Py_Main") : NULL;
    return main ? main(count, words) : 120;
}
